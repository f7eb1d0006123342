"""A sync: what GitHub is asked for, given what is known, and how it comes to where it is kept.

It knows GitHub's adapters, and of the store only what ``destination`` says.
"""
