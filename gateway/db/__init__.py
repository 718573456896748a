"""The gateway's database: tables, connections, migrations, and the small stores that belong to no resource."""
