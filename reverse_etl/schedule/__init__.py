"""Schedules that are made from a profile: the job where the warehouse itself starts it."""
