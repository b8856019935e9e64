package bulk
