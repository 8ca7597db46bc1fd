"""Records to items and back: one record for each kind of item.

Reading is strict: an attribute that is missing or of the wrong type raises `UnreadableItemError`,
which names the attribute and the item: treating a damaged item as absent would silently roll a
conversation back. Items of older writers are accepted: a NULL or missing parent, a missing
namespace, text where this package stores binary.
"""
