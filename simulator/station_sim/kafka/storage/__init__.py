"""What a cluster keeps on disk, under one folder, and how it finds it again.

`data_folder.py` owns the folder, `journal.py` keeps the small state, `batch_files.py` the records.
Everything is written before its answer is sent, with plain writes: what was acknowledged outlives
the process, however it ends; against a machine that loses power there is no promise.
"""
