"""Staff pages. Each first fetches and authorises in one query, then writes who looked at what."""
