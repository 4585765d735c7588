"""Stands beside one script: starts it, carries its streams, measures its tree, ends it, tells in events.

Imports nothing else of ``runner`` and only the standard library, in the syntax of Python 3.8, so that it packs into
one zip file and runs wherever a script runs.
"""
