"""Reading activations from many texts: capture now, streams and shards later.

This room refuses to know dictionaries, probes and instruments.
"""
