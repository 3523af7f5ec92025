"""Raw records in, MEDS event shards out; one file per source."""
