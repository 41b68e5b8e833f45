"""Examples and models -> candidates, regions and scores, shard by shard, resumable."""
