"""Prices of DynamoDB and S3.

On demand, in us-east-1, in dollars. DynamoDB's prices are those since November 2024
(https://aws.amazon.com/dynamodb/pricing/on-demand/,
https://aws.amazon.com/blogs/database/new-amazon-dynamodb-lowers-pricing-for-on-demand-throughput-and-global-tables/),
S3's those of its standard class, first 50 TB (https://aws.amazon.com/s3/pricing/). Other regions
charge up to twice as much, and reserved or provisioned capacity less: `stats` takes prices as
options.
"""

from __future__ import annotations

from dataclasses import dataclass

AS_OF = "us-east-1, on demand, since November 2024"

WRITE_DOLLARS = 0.625
"""For a million write units."""
READ_DOLLARS = 0.125
"""For a million read units."""
STORAGE_DOLLARS = 0.25
"""For a GB and month in a table, of which an account has 25 GB free."""
OBJECT_DOLLARS = 0.023
"""For a GB and month in S3."""
OBJECT_PUT_DOLLARS = 5.0
"""For a million objects that are stored or copied."""
OBJECT_GET_DOLLARS = 0.4
"""For a million objects that are read."""

ITEM_OVERHEAD = 100
"""Bytes of storage that DynamoDB charges for each item, in addition to its size
(https://aws.amazon.com/dynamodb/pricing/on-demand/)."""
_MILLION = 1_000_000
_GIGABYTE = 2**30


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in dollars.

    Attributes:
        write: For a million write units.
        read: For a million read units.
        storage: For a GB and month in a table.
        objects: For a GB and month in S3.
    """

    write: float = WRITE_DOLLARS
    read: float = READ_DOLLARS
    storage: float = STORAGE_DOLLARS
    objects: float = OBJECT_DOLLARS

    def to_write(self, units: float) -> float:
        """Return the price of write units, in dollars."""
        return units * self.write / _MILLION

    def to_read(self, units: float) -> float:
        """Return the price of read units, in dollars."""
        return units * self.read / _MILLION

    def to_keep(self, items: int, size: int, object_bytes: int) -> float:
        """Return the price of storage for a month, in dollars.

        Args:
            items: Number of items.
            size: Bytes of the items.
            object_bytes: Bytes of S3 objects.
        """
        in_table = (size + items * ITEM_OVERHEAD) / _GIGABYTE
        return in_table * self.storage + object_bytes / _GIGABYTE * self.objects
