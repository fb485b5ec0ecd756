"""Imports of whole rosters, of any length, in bounded memory."""
