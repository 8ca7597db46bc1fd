"""Pages of the documentation in a real browser. `make web-test` builds the site and asks for them."""
