"""Clips of people to files of audio features and face coefficients, and those files read again."""
