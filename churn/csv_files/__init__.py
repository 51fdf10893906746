"""CSV text as files and requests bring it: what is no CSV is named, and rows are walked one by one."""
