"""Organisms for vision: small networks trained in seconds on drawn shapes, with a planted flaw or without one."""
