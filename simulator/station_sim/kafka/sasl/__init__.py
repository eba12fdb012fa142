"""Who may connect: users, the exchanges of each mechanism, where a connection stands.

What a client is answered is in `requests/sasl_handshake.py` and `requests/sasl_authenticate.py`.
"""
