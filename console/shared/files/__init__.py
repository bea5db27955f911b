"""Files: an encrypted store (vault), tables written as a stream (xlsx_writer, csv_writer), tables read behind guards (tables)."""
