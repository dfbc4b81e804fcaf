"""What a person takes home: pictures, drawings, data, films and hand-outs of what is on the screen."""
