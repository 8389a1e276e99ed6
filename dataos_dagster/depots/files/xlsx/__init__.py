"""Excel workbooks, read and written by this process: no engine knows them."""
