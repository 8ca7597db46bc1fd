"""Pages of the site in a real browser: asked for by `TEST_WEB`, once `make docs` has built it."""
