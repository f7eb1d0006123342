"""The site live: pages that follow the store, a JSON API, webhooks, metrics."""
