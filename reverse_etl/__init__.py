"""Keep Klaviyo lists equal to what the warehouse says.

Plan the change, send only the change, prove what arrived.
"""

__version__ = "0.1.0"
