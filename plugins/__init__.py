"""Domains: one file or folder each."""
