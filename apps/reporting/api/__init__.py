"""/v1/reports: the numbers of the dashboards."""
