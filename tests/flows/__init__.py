"""Whole stories, told through what a person sees and what a device hears."""
