"""Records to items and back: one record for each kind of item.

Reading is strict: an attribute that is missing or of the wrong type raises `UnreadableItemError`,
which names it and the place, because an item taken for absent would roll a conversation back in
silence. Items of older writers are understood: a NULL or missing parent, a missing namespace, text
where this package stores binary.
"""
