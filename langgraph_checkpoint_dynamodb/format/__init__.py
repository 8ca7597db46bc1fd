"""The stored format, which is public: keys, tables, attribute names, bounds, sizes and expiry."""
