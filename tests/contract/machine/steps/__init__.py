"""The steps that programs are made of, one file per subject. A step is one request: its fields are
small numbers and words, so that a program can be pasted back as it was printed.
"""
