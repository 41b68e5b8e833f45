"""Who builds which shards: the processes of a launch, and the journal of what is finished."""
