"""One file per request kind; each opens with the versions it speaks."""
