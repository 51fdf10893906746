"""What a customer table shows before anything is fitted; `notebooks/eda.py` puts it on a page."""
