"""The dashboards of Outposts and of what is tagged: discovery (sections), layout, and two functions around them."""
