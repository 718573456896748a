"""The REST resources: one package each, found by walking this one (see `gateway.web.routing.find_routes`)."""
