"""Reading what sales systems export: from bytes in a file to checked values, one row at a time.

``kinds`` says which columns a kind of file has, ``tables`` finds and reads the table in a file, ``rows`` turns
a row into values and problems. Nothing here knows the database.
"""
