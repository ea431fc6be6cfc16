"""The client of Klaviyo's API. The rest of the package uses `klaviyo.api.Klaviyo`."""
