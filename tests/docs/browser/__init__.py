"""Pages of the site in a real browser: enabled by `TEST_WEB`, after `make docs`."""
