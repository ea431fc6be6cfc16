"""The kinds of Klaviyo state that a model can drive, one file each."""
