import {
  AxisPlacement,
  BarAlignment,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  ScaleDistribution,
  ScaleDistributionConfigBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  HeatmapTooltipBuilder,
  PanelBuilder as Heatmap,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import { byThreshold, type Facts, framed, type PanelBuilder } from './panels.js';

const legend = (): VizLegendOptionsBuilder =>
  new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);

const allAtOnce = (): VizTooltipOptionsBuilder =>
  new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending);

/**
 * Stacked bars that count something. There are never more than 60, and none is narrower than 5 minutes: a single event
 * is seen over a day and over a month.
 */
export const bars = (facts: Facts): PanelBuilder =>
  framed(new TimeSeries(), facts)
    .interval('5m')
    .maxDataPoints(60)
    .drawStyle(GraphDrawStyle.Bars)
    .barAlignment(BarAlignment.Before)
    .barWidthFactor(0.85)
    .fillOpacity(85)
    .lineWidth(0)
    .min(0)
    .axisSoftMax(4)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .legend(legend())
    .tooltip(allAtOnce());

/** Lines through what is measured all the time. */
export const lines = (facts: Facts): PanelBuilder =>
  framed(new TimeSeries(), facts)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(2)
    .fillOpacity(8)
    .showPoints(VisibilityMode.Never)
    .min(0)
    .legend(legend())
    .tooltip(allAtOnce());

/** Points: times that are taken only when something happens; from milliseconds to hours, so each step is ten times the last. */
export const dots = (facts: Facts): PanelBuilder =>
  framed(new TimeSeries(), facts)
    .interval('5m')
    .maxDataPoints(60)
    .drawStyle(GraphDrawStyle.Points)
    .showPoints(VisibilityMode.Always)
    .pointSize(7)
    .scaleDistribution(new ScaleDistributionConfigBuilder().type(ScaleDistribution.Log).log(10))
    .legend(legend())
    .tooltip(allAtOnce());

/** A state that lasts: whole numbers that go up and down in steps. */
export const levels = (facts: Facts): PanelBuilder =>
  framed(new TimeSeries(), facts)
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.StepAfter)
    .lineWidth(1)
    .fillOpacity(30)
    .showPoints(VisibilityMode.Never)
    .min(0)
    .axisSoftMax(4)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .legend(legend())
    .tooltip(allAtOnce());

/** How many fell into which bucket of a histogram, and when. */
export const heatmap = (facts: Facts): PanelBuilder =>
  framed(new Heatmap(), facts)
    .interval('5m')
    .maxDataPoints(60)
    .calculate(false)
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme('Blues')
        .scale(HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(32)
        .reverse(false),
    )
    .yAxis(new YAxisConfigBuilder().unit(facts.unit).axisPlacement(AxisPlacement.Left))
    .cellGap(2)
    .tooltip(new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true));

/** A band per series, coloured by the state it is in. */
export const bands = (facts: Facts): PanelBuilder =>
  framed(new StateTimeline(), facts)
    .mergeValues(true)
    .showValue(VisibilityMode.Never)
    .rowHeight(0.8)
    .lineWidth(0)
    .fillOpacity(85)
    .legend(legend())
    .tooltip(allAtOnce())
    .colorScheme(byThreshold());
