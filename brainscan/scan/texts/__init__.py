"""Prompts, statements and facts that instruments use, written for this project; data, no logic beyond templates."""
