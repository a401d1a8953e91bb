public import ArgumentParser
public import Freezing
public import Statistics

extension Estimator: ExpressibleByArgument {}
extension Tail: ExpressibleByArgument {}
extension Padding: ExpressibleByArgument {}
