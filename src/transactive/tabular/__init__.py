"""Columns of CSV and Parquet files, typed and checked: one reader for every command and room."""
