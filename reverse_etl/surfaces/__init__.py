"""The kinds of Klaviyo state that a model can control, one file each."""
