"""What an executive reads of a retention run: slides, one page, and the experiment's readout."""
