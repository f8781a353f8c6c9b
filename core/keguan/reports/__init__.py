"""What people print and put on the wall: the journey of a home as a page, the yearly plan as page and workbook.

From values that queries return; nothing here asks a database. Pages are single files that ask no server for anything.
"""
