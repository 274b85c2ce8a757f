"""One way to look a file. Each yields measurements, evidence and figures, never opinions."""
