"""ports/store"""
