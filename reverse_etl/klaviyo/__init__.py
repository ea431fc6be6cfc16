"""Everything that speaks to Klaviyo. The rest of the package holds one object of it, `klaviyo.Klaviyo`."""
