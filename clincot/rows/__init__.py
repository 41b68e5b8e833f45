"""What the parquet files of a round hold: columns, features and how images and messages are stored."""
