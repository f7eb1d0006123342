"""Pages of the site: results in, files out. The same pages are published as files and served live."""
