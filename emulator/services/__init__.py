"""One package for each AWS service, which declares its SERVICE; the server finds it by its folder."""
