"""Image classifiers under examination: opening them, their sites by structure, running, editing, receptive fields.

This room refuses to know images on disk, labels and what a channel means.
"""
