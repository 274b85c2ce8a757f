"""Circuits of a vision model: which units build a channel, how strongly, where in the picture, and what happens without them."""
