"""What was scored, kept for monitoring: by day, under pseudonyms, for a stated number of days.

Off unless somebody asks for it. A file is a day's rows of one batch, or of one worker of the service.
"""
