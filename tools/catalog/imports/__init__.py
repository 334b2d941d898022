"""Where services stand described already: dashboards, watchers, labels of containers. Pure."""
