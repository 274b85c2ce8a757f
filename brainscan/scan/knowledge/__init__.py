"""Knowledge: what a subject holds about harmless stand-in facts, and what of it reaches its answers.

Nothing here touches a dangerous topic; refusal of those is measured by other instruments.
"""
