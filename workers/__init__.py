"""Where work is sent: this process, several of this machine, or the workers of a Dask cluster. One seam for all."""
